"""How pixels become colours: the entries of the View menu and the toolbar."""
