"""The theme of the window: colours, style sheet, icons, and painting in device pixels."""
