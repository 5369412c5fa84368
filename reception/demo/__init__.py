"""The demonstration: fictitious people, cases over three years, two sealed recordings."""
