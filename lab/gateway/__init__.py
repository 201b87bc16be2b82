"""The gateway: the public API. It knows who asks (``guard``), what each route needs (``routes``), and writes down what was done."""
