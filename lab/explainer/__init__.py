"""The explainer: takes exchanges from the queue and turns each into a hypergraph."""
