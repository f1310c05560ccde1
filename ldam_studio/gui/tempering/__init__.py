"""Feature: parallel tempering, the ladder of temperatures and how often it exchanges images."""
