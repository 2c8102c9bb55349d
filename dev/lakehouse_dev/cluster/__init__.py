"""A whole cluster behind one interface: `kind` where a Docker engine answers, `native` anywhere else on Linux."""
