"""Recording what each chain did, for those who ask whether the chains agree."""
