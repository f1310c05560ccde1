"""Help: the keys, what each setting does, the method, and how to cite it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PyQt6.QtCore import QEvent, QSize
from PyQt6.QtGui import QAction, QGuiApplication, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ldam_studio import __version__
from ldam_studio.gui.theme import theme
from ldam_studio.sampler.setting import Setting
from ldam_studio.sampler.settings import SETTINGS

METHOD = (
    "Every chain is an image that walks: each step goes a little uphill, towards what excites the "
    "chosen neuron, and adds a little noise.",
    "That is Langevin dynamics, so a chain does not stop at one best image but visits all images "
    "that the neuron likes, each as often as it is liked.",
    "The raw sample on the left is where a chain is now; the running average on the right is what "
    "its images have in common once the start is forgotten.",
    "The L2 weight keeps pixels quiet that do not matter, and a discriminator, trained to tell "
    "real images from the chains' own, can pull the images towards natural ones.",
    "Raise the temperature and the image melts into noise; lower it again and it collapses into "
    "a different image of the same thing.",
)

CITATION = (
    "Biye Jiang, David M. Chan, Tianhao Zhang and John F. Canny: Diagnostic Visualization for "
    "Deep Neural Networks Using Stochastic Gradient Langevin Dynamics. arXiv:1812.04604, 2018."
)

BIBTEX = """@article{jiang2018diagnostic,
  title   = {Diagnostic Visualization for Deep Neural Networks
             Using Stochastic Gradient Langevin Dynamics},
  author  = {Jiang, Biye and Chan, David M. and Zhang, Tianhao and Canny, John F.},
  journal = {arXiv preprint arXiv:1812.04604},
  year    = {2018}
}"""

GROUPS = {
    "sampler": "Sampling",
    "average": "Averaging",
    "more": "More",
    "learner": "Discriminator",
    "watching": "Watching a training",
}


class HelpDialog(QDialog):
    """A window of its own that stays open beside the studio.

    Parameters
    ----------
    actions
        What the studio can do; those with a shortcut are listed under their menu texts.
    """

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help - LDAM Studio")
        self._pages = {
            "Keys": keys_html(actions),
            "Settings": settings_html(),
            "Method": method_html(),
            "Cite": citation_html(),
        }
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        for name in self._pages:
            page = QTextBrowser()
            page.setOpenExternalLinks(True)
            page.setAccessibleName(name)
            page.setFrameShape(page.Shape.NoFrame)
            page.document().setDocumentMargin(14)
            self._tabs.addTab(page, name)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._copy = QPushButton("Copy BibTeX")
        buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        self._copy.clicked.connect(self._copy_citation)
        self._tabs.currentChanged.connect(self._turned)
        layout = QVBoxLayout(self)
        layout.addWidget(self._tabs, 1)
        layout.addWidget(buttons)
        self._turned(0)
        self._write()

    def sizeHint(self) -> QSize:
        """Return a size at which most pages need no scrolling."""
        line = self.fontMetrics().height()
        return QSize(46 * line, 38 * line)

    def text(self, page: str) -> str:
        """Return what a page says, without its looks."""
        return self._browser(page).toPlainText()

    def _browser(self, page: str) -> QTextBrowser:
        return self._tabs.widget(list(self._pages).index(page))

    def _write(self) -> None:
        look = theme.current()
        style = (
            f"h3 {{ color: {look.text}; margin: 14px 0 4px 0; }}"
            f"td {{ padding: 3px 14px 3px 0; vertical-align: top; }}"
            f".key {{ color: {look.accent}; font-weight: 600; }}"
            f".muted {{ color: {look.muted}; }}"
            f"a {{ color: {look.accent}; }}"
            f"p, li {{ margin-bottom: 8px; }}"
        )
        for name, html in self._pages.items():
            page = self._browser(name)
            page.document().setDefaultStyleSheet(style)
            page.setHtml(html)

    def changeEvent(self, event: QEvent) -> None:
        """Write again in the colours of a new look."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_copy"):
            self._write()

    def _turned(self, index: int) -> None:
        self._copy.setVisible(list(self._pages)[index] == "Cite")

    def _copy_citation(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(BIBTEX)


def keys_html(actions: Iterable[QAction]) -> str:
    """Return a table of what each key does, in the order of the actions."""
    rows = []
    for action in actions:
        keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
        keys = [key for key in keys if key]
        if not keys or not action.isVisible():
            continue
        name = _plain(action.data() or action.text())
        more = _plain(action.statusTip() or action.toolTip())
        more = "" if more.rstrip(".… ") in (name.rstrip(".… "), "") else more
        rows.append((" or ".join(keys), name.rstrip("…."), more))
    table = "".join(
        f'<tr><td class="key">{escape(keys)}</td><td>{escape(name)}</td>'
        f'<td class="muted">{escape(more)}</td></tr>'
        for keys, name, more in rows
    )
    return (
        f"<table>{table}</table>"
        '<p class="muted" style="margin-top: 14px">Single letters and the space bar act while '
        "the images have the focus: click an image first. Tab goes from one control to the next. "
        "On a slider the wheel and the arrow keys change the value, a double click resets it. On "
        "the timeline of a watched training the arrow keys go from checkpoint to checkpoint, Space "
        "plays them and End follows the newest.</p>"
    )


def _plain(text: str) -> str:
    """Return a menu text without the marks of its mnemonic."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def settings_html() -> str:
    """Return the meaning of every setting, from the one description that there is of it."""
    parts = []
    for group, title in GROUPS.items():
        rows = "".join(
            f'<tr><td width="180"><b>{escape(s.label)}</b><br>'
            f'<span class="muted">{escape(facts(s))}</span></td>'
            f"<td>{escape(s.help)}</td></tr>"
            for s in SETTINGS.values()
            if s.group == group
        )
        parts.append(f"<h3>{title}</h3><table>{rows}</table>")
    return "".join(parts)


def facts(setting: Setting) -> str:
    """Return a setting's default and unit in a few words."""
    default = setting.default
    if isinstance(default, bool):
        return f"default {'on' if default else 'off'}"
    shown = f"{default:g}" if isinstance(default, int | float) else str(default)
    return f"default {shown}" + (f", in {setting.unit}" if setting.unit else "")


def method_html() -> str:
    """Return the method in five sentences."""
    return "<ol>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in METHOD) + "</ol>"


def citation_html() -> str:
    """Return how to cite the method."""
    return (
        f"<p>LDAM Studio {escape(__version__)} builds on the method of</p><p>{escape(CITATION)}</p>"
        f'<p><a href="https://arxiv.org/abs/1812.04604">arxiv.org/abs/1812.04604</a></p>'
        f"<pre>{escape(BIBTEX)}</pre>"
    )
