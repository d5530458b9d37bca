"""Engines that read an inquiry: no Django model is imported below this package."""
