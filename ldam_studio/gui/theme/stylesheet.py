"""The style sheet, for what a palette cannot express: borders, corners, focus, tool tips."""

from __future__ import annotations

from string import Template

from ldam_studio.assets import asset
from ldam_studio.gui.theme.colours import Theme

_SHEET = Template("""
QToolTip { background: $raised; color: $text; border: 1px solid $control; padding: ${pad}px; }
QToolBar { background: $background; border: none; border-bottom: 1px solid $outline; spacing: 2px;
           padding: ${half}px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: ${half}px ${pad}px; }
QToolButton[compact="true"] { padding: ${half}px ${tight}px; }
QToolButton[slim="true"] { padding: 0 ${tight}px; }
QToolButton[choice="true"] { background: $raised; border-color: $control;
            padding-right: ${menu}px; }
QToolButton[choice="true"]::menu-indicator { image: url("$down"); width: ${glyph}px;
            height: ${glyph}px; subcontrol-origin: padding; subcontrol-position: right center;
            right: ${pad}px; }
QToolButton:hover { background: $raised; border-color: $outline; }
QToolButton:pressed { background: $outline; }
QToolButton:checked { background: $raised; border-color: $accent; }
QToolButton:focus { border-color: $accent; }
QToolBar::separator { background: $outline; width: 1px; margin: ${half}px ${half}px; }
QStatusBar { background: $background; border-top: 1px solid $outline; color: $muted; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $muted; padding: 0 ${half}px; }
QMainWindow::separator { background: $outline; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $outline; }
QDockWidget { color: $muted; }
QDockWidget::title { background: $background; padding: ${pad}px; }
QTabBar::tab { background: transparent; color: $muted; padding: ${pad}px ${wide}px;
               border: none; border-bottom: 2px solid transparent; }
QTabBar[compact="true"]::tab { padding: ${half}px ${pad}px; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:focus { color: $text; background: $raised; }
QTabWidget::pane { border: none; border-top: 1px solid $outline; }
QPushButton { background: $raised; color: $text; border: 1px solid $control; border-radius: 5px;
              padding: ${pad}px ${wide}px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QPushButton:hover { border-color: $accent; }
QPushButton:pressed { background: $outline; }
QPushButton:focus { border: 2px solid $accent; padding: ${pad_less}px ${wide_less}px; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:focus { border: 2px solid $text; }
QPushButton:checked { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:disabled { color: $faint; background: $background; border-color: $outline; }
QLineEdit, QPlainTextEdit { background: $surface; color: $text; border: 1px solid $control;
            border-radius: 5px;
            padding: ${half}px ${pad}px; selection-background-color: $accent;
            selection-color: $on_accent; }
QLineEdit:focus { border-color: $accent; }
QLineEdit[invalid="true"] { border-color: $danger; }
QLineEdit:disabled { color: $faint; border-color: $outline; }
QAbstractSpinBox, QComboBox { background: $surface; color: $text; border: 1px solid $control;
            border-radius: 5px;
            padding: ${half}px ${pad}px; min-height: ${line}px; selection-background-color: $accent;
            selection-color: $on_accent; }
QAbstractSpinBox:focus, QComboBox:focus { border-color: $accent; }
QAbstractSpinBox:disabled, QComboBox:disabled { color: $faint; border-color: $outline; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent;
            width: ${button}px; }
QAbstractSpinBox::up-arrow { image: url("$up"); width: ${glyph}px; height: ${glyph}px; }
QAbstractSpinBox::down-arrow { image: url("$down"); width: ${glyph}px; height: ${glyph}px; }
QComboBox::drop-down { border: none; width: ${button}px; }
QComboBox::down-arrow { image: url("$down"); width: ${glyph}px; height: ${glyph}px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $outline; }
QCheckBox { spacing: ${pad}px; }
QCheckBox::indicator { width: ${box}px; height: ${box}px; border: 1px solid $control;
            border-radius: 4px;
            background: $surface; }
QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$check"); }
QCheckBox::indicator:checked:focus { width: ${box_focus}px; height: ${box_focus}px;
            border: 2px solid $text; }
QCheckBox::indicator:disabled { border-color: $outline; background: $background; }
QRadioButton { spacing: ${pad}px; }
QRadioButton::indicator { width: ${box}px; height: ${box}px; border: 1px solid $control;
            border-radius: ${box_radius}px; background: $surface; }
QRadioButton::indicator:hover, QRadioButton::indicator:focus { border-color: $accent; }
QRadioButton::indicator:checked { background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5,
            fx: 0.5, fy: 0.5, stop: 0 $accent, stop: 0.5 $accent, stop: 0.6 $surface,
            stop: 1 $surface); border-color: $accent; }
QRadioButton::indicator:checked:focus { width: ${box_focus}px; height: ${box_focus}px;
            border: 2px solid $accent; }
QRadioButton::indicator:disabled { border-color: $outline; background: $background; }
QRadioButton:disabled, QCheckBox:disabled { color: $faint; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $scroll; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider[lane="B"]::sub-page:horizontal { background: $comparison; }
QSlider::sub-page:horizontal:disabled { background: $outline; }
QSlider::handle:horizontal { background: $text; border: 2px solid $background; width: ${knob}px;
            height: ${knob}px; margin: -${knob_half}px 0; border-radius: ${knob_radius}px; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { background: $accent; border-color: $text; }
QSlider::handle:horizontal:disabled { background: $control; }
QProgressBar { background: $surface; border: 1px solid $outline; border-radius: 4px;
            text-align: center;
            color: $text; }
QProgressBar::chunk { background: $outline; border-bottom: 3px solid $accent; border-radius: 3px; }
QAbstractSpinBox QLineEdit { border: none; background: transparent; padding: 0; }
QTreeView, QListView, QTextBrowser { background: $surface; border: 1px solid $outline;
            border-radius: 5px; }
QTreeView:focus, QListView:focus { border-color: $accent; }
QTreeView::item, QListView::item { padding: ${half}px; }
QTreeView::item:hover, QListView::item:hover { background: $raised; }
QTreeView::item:selected, QListView::item:selected { background: $accent; color: $on_accent; }
QHeaderView { background: $surface; }
QHeaderView::section { background: $surface; color: $muted; border: none;
            border-bottom: 1px solid $outline;
                       padding: ${half}px ${pad}px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: 4px; min-height: 24px; min-width: 24px;
            margin: 1px; }
QScrollBar::handle:hover { background: $control; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QMenu { background: $raised; border: 1px solid $outline; padding: ${half}px; }
QMenu::item { padding: ${pad}px ${menu}px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $outline; margin: ${half}px ${pad}px; }
QLabel[role="muted"], QCheckBox[role="muted"] { color: $muted; }
QLabel[role="title"] { color: $text; font-weight: 600; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="danger"] { color: $danger; }
QLabel[role="empty"] { color: $muted; padding: ${wide}px; }
QFrame[banner] { background: $raised; border: none; border-left: 4px solid $accent; }
QFrame[banner] QLabel { color: $text; } /* also while all else is disabled */
QFrame[banner="warning"] { border-left-color: $warning; }
QFrame[banner="danger"] { border-left-color: $danger; }
QFrame[role="card"] { background: $surface; border: 1px solid $outline; border-radius: 6px; }
""")


def _glyph(name: str, dark: bool) -> str:
    # A style sheet can only refer to files, so these icons exist once for each theme.
    return asset("resources", "icons", f"{name}-{'dark' if dark else 'light'}.svg").as_posix()


def stylesheet(theme: Theme) -> str:
    """Return the style sheet of a theme."""

    def pixels(size: float) -> int:
        return max(1, round(size * theme.scale))

    tokens = {key: value for key, value in theme.__dict__.items() if isinstance(value, str)}
    return _SHEET.substitute(
        tokens,
        faint=theme.colour("muted", 140).name(theme.colour("muted").NameFormat.HexArgb),
        scroll=theme.colour("control", 130).name(theme.colour("muted").NameFormat.HexArgb),
        tight=pixels(2),
        half=pixels(3),
        pad=pixels(5),
        pad_less=max(0, pixels(5) - 1),
        wide=pixels(11),
        wide_less=max(0, pixels(11) - 1),
        menu=pixels(20),
        line=pixels(16),
        button=pixels(16),
        glyph=pixels(9),
        box=pixels(14),
        box_focus=pixels(14) - 2,  # its frame is two pixels wider
        box_radius=(pixels(14) + 2) // 2,
        knob=pixels(12),
        knob_half=pixels(12) // 2,
        knob_radius=(pixels(12) + 4) // 2,
        **{name: _glyph(name, theme.dark) for name in ("check", "up", "down")},
    )
