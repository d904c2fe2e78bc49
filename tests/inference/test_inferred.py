"""The attributes of a fit that are computed when they are asked for."""

from importlib import import_module

import pytest

from descend.inference.fitted import Fitted
from descend.inference.inferred import Inferred

PLACES = [each.source for each in vars(Fitted).values() if isinstance(each, Inferred) and isinstance(each.source, str)]


@pytest.mark.parametrize("place", PLACES)
def test_the_function_of_an_attribute_is_where_it_is_said_to_be(place):
    module, _, name = place.partition(":")
    assert callable(getattr(import_module(f"descend.inference.{module}"), name))
