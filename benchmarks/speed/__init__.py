"""How fast it is: environments, training against peers, and start-up."""
