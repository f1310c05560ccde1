"""``ldam-studio train``: the trainings that made what is shipped."""
