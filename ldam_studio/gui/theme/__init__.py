"""The look: colours, fonts, icons, and painting by hand."""
