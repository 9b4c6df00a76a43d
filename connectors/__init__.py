"""In: everything that brings market data into a flow, from files and from the simulated market."""
