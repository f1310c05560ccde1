"""What was filled in, complete or not, so that the dialog shows it again while the program runs."""

from __future__ import annotations

from dataclasses import dataclass

from ldam_studio.gui.network_dialog.code import Consent
from ldam_studio.gui.network_dialog.request_form import RequestForm
from ldam_studio.networks.weights.choice import WeightsChoice


@dataclass(frozen=True)
class Draft:
    """The content of all fields."""

    kind: int
    built_in: str
    library: str
    search: str
    code: tuple[str, str, Consent | None]
    weights: str
    choice: WeightsChoice
    labels: str
    partial: bool
    steady: bool
    classes: str | None
    preset: int
    numbers: tuple[str, ...]


def draft_of(form: RequestForm) -> Draft:
    """Return what is filled in."""
    source = form.source
    return Draft(
        source.kind,
        source.built_in.name,
        source.library.name,
        source.library.search.text(),
        source.code.content,
        form.choice.file.text(),
        form.choice.choice,
        form.labels.text(),
        form.choice.partial.isChecked(),
        form.steady.isChecked(),
        form.classes.layer,
        form.input.preset.currentIndex(),
        tuple(field.text() for field in form.input.fields),
    )


def fill_in(form: RequestForm, draft: Draft) -> None:
    """Fill in what a dialog had before; code that was changed since has to be agreed to again."""
    with form.filling():
        source = form.source
        source.built_in.set_name(draft.built_in)
        source.library.search.setText(draft.search)
        source.library.set_name(draft.library)
        source.code.restore(*draft.code)
        source.choose(draft.kind)
        form.choice.fill(draft.choice)
        form.choice.file.setText(draft.weights)
        form.choice.partial.setChecked(draft.partial)
        form.labels.setText(draft.labels)
        form.steady.setChecked(draft.steady)
        form.classes.give(draft.classes)
        form.input.preset.setCurrentIndex(draft.preset)
        for field, text in zip(form.input.fields, draft.numbers, strict=True):
            field.setText(text)
