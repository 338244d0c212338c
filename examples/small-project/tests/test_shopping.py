"""The shopping list adds up what several dishes need."""

from ladle.recipe import Recipe, ingredient
from ladle.shopping import shopping_list

PANCAKES = Recipe(
    "Pancakes",
    servings=2,
    ingredients=(
        ingredient("2/3", "cup", "flour"),
        ingredient("1", "cup", "milk"),
        ingredient("2", "", "egg"),
    ),
)
SHORTBREAD = Recipe(
    "Shortbread",
    servings=4,
    ingredients=(
        ingredient("1 1/3", "cup", "flour"),
        ingredient("250", "g", "butter"),
        ingredient("1", "tbsp", "milk"),
    ),
)


def test_adds_what_is_in_the_same_unit():
    assert "2 cup flour" in shopping_list([PANCAKES, SHORTBREAD])


def test_keeps_units_apart():
    bought = shopping_list([PANCAKES, SHORTBREAD])
    assert "1 cup milk" in bought
    assert "1 tbsp milk" in bought


def test_is_sorted_by_name_then_unit():
    assert shopping_list([PANCAKES, SHORTBREAD]) == [
        "250 g butter",
        "2 egg",
        "2 cup flour",
        "1 cup milk",
        "1 tbsp milk",
    ]


def test_scales_every_dish_for_the_guests():
    assert shopping_list([PANCAKES, SHORTBREAD], guests=4) == [
        "250 g butter",
        "4 egg",
        "2 2/3 cup flour",
        "2 cup milk",
        "1 tbsp milk",
    ]


def test_nothing_to_cook_is_nothing_to_buy():
    assert shopping_list([]) == []
