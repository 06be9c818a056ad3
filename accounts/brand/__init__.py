"""The provider's own look: a name, a logo, a colour, words."""
