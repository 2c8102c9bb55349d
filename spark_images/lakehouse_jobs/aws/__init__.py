"""Services of AWS that a job asks under its own role: the identity of its Pod."""
