"""The description of every setting in Markdown, from the table behind sliders and flags."""

from __future__ import annotations

from typing import Any

from ldam_studio.sampler.setting import Group, Setting
from ldam_studio.sampler.settings import SETTINGS

GROUPS: dict[Group, str] = {
    "sampler": "Sampler",
    "average": "Average",
    "objective": "Objective",
    "image": "Image",
    "views": "Views",
    "schedule": "Schedule",
    "start": "Start",
    "more": "More settings",
    "learner": "Learning of the discriminator",
    "watching": "Watching a training",
}
"""The groups of settings and their titles, in the order in which the user sees them."""


def about_settings() -> list[dict[str, Any]]:
    """Return the description of each setting, in the order in which the user sees them."""
    return [
        {
            "name": setting.name,
            "group": setting.group,
            "label": setting.label,
            "flag": flag_of(setting),
            "default": setting.default,
            "accepts": accepts(setting),
            "unit": setting.unit,
            "help": setting.help,
        }
        for setting in SETTINGS.values()
    ]


def markdown() -> str:
    """Return the settings page of the guide: one section for each setting."""
    sections = []
    for group, title in GROUPS.items():
        sections.append(f"## {title}")
        sections += [_section(about) for about in about_settings() if about["group"] == group]
    return "\n\n".join(sections)


def _section(about: dict[str, Any]) -> str:
    facts = [about["accepts"], f"default {shown(about['default'])}"]
    if about["flag"] is not None:
        facts.insert(0, f"`{about['flag']}`")
    return f"### {about['label']}\n\n{' · '.join(facts)}\n\n{about['help']}"


def flag_of(setting: Setting) -> str | None:
    """Return the flag of ``render`` for a setting; None if there is none."""
    if setting.window_only:
        return None
    return "--" + setting.name.replace("_", "-")


def accepts(setting: Setting) -> str:
    """Return which values are accepted, in a few words."""
    if setting.scale == "flag":
        return "on, off"
    if setting.scale == "choice":
        return ", ".join(setting.choices)
    if setting.scale == "curve":
        return f"points step:value, values {_number(setting.minimum)} to {_number(setting.maximum)}"
    words = f"{_number(setting.minimum)} to {_number(setting.maximum)}"
    if abs(setting.minimum) >= 1e6:
        words = "any number"
    if setting.unit:
        words += f" {setting.unit}"
    return f"{words}, or auto" if setting.auto else words


def shown(value: Any) -> str:
    """Return a default as the user writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else str(value) or "none"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.10f}".rstrip("0")
