"""The job that the cold-start benchmark times, and the places it runs in."""
