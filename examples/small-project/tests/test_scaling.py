"""A scaled recipe keeps its proportions exactly, and whole eggs whole."""

import pytest

from ladle.recipe import Recipe, ingredient, scaled

PANCAKES = Recipe(
    "Pancakes",
    servings=3,
    ingredients=(
        ingredient("1", "cup", "flour"),
        ingredient("1 1/2", "cup", "milk"),
        ingredient("2", "", "egg"),
    ),
)


def lines(recipe):
    return [str(each) for each in recipe.ingredients]


def test_scales_up():
    assert lines(scaled(PANCAKES, 6)) == ["2 cup flour", "3 cup milk", "4 egg"]


def test_a_third_stays_a_third():
    assert lines(scaled(PANCAKES, 2))[:2] == ["2/3 cup flour", "1 cup milk"]


def test_there_and_back_again():
    assert lines(scaled(scaled(PANCAKES, 7), 3))[:2] == lines(PANCAKES)[:2]


def test_counted_things_are_rounded_up():
    assert lines(scaled(PANCAKES, 2))[2] == "2 egg"


def test_the_recipe_itself_is_left_alone():
    assert scaled(PANCAKES, 6).servings == 6
    assert PANCAKES.servings == 3


@pytest.mark.parametrize("servings", [0, -2])
def test_somebody_must_be_hungry(servings):
    with pytest.raises(ValueError, match="servings"):
        scaled(PANCAKES, servings)
