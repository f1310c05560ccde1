"""Finding, by measurement, the plan by which a network runs fastest on this computer."""
