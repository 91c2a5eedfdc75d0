"""One row per recipe of a domain: what it is for, and the custom recipe that learns the same on the local service.

Domain recipes are listed and described like others, and made for recommenders only. Who must be named in a request and
what is left out by itself are as on the guide's pages of use cases.
"""

from __future__ import annotations

from dataclasses import dataclass

from personalize_nb.contract.recipes import (
    POPULAR_ITEMS,
    RECIPES,
    RELATED_ITEMS,
    USER_PERSONALIZATION,
    ListedRecipe,
    Recipe,
)


@dataclass(frozen=True, kw_only=True)
class DomainRecipe(ListedRecipe):
    """One recipe of recommenders.

    Parameters
    ----------
    learns
        The name of the custom recipe that learns the same.
    event_type
        The only events it learns from, those of its use case; None for all.
    needs_user
        Whether a request must name a user, also where the custom recipe needs none.
    leaves_out
        The events that keep an item out of a user's recommendations, without a filter; None leaves all in.
    """

    since: str = "2021-11-29"
    learns: str
    event_type: str | None = None
    needs_user: bool = True
    leaves_out: str | None = None

    @property
    def sibling(self) -> Recipe:
        """The row of the custom recipe that learns the same."""
        return RECIPES[self.learns]

    @property
    def exploration(self) -> bool:
        """Whether its recommenders read `itemExplorationConfig`."""
        return self.sibling.exploration


_SHOP, _VIDEO = "ECOMMERCE", "VIDEO_ON_DEMAND"

DOMAIN_RECIPES: dict[str, DomainRecipe] = {
    recipe.name: recipe
    for recipe in (
        DomainRecipe(
            name="aws-ecomm-customers-who-viewed-x-also-viewed",
            domain=_SHOP,
            type=RELATED_ITEMS,
            description="Items viewed along with an item.",
            learns="aws-sims",
            event_type="View",
            leaves_out="Purchase",
        ),
        DomainRecipe(
            name="aws-ecomm-frequently-bought-together",
            domain=_SHOP,
            type=RELATED_ITEMS,
            description="Items bought along with an item.",
            learns="aws-sims",
            event_type="Purchase",
            needs_user=False,
        ),
        DomainRecipe(
            name="aws-ecomm-popular-items-by-purchases",
            domain=_SHOP,
            type=POPULAR_ITEMS,
            description="Items bought most.",
            learns="aws-popularity-count",
            event_type="Purchase",
        ),
        DomainRecipe(
            name="aws-ecomm-popular-items-by-views",
            domain=_SHOP,
            type=POPULAR_ITEMS,
            description="Items viewed most.",
            learns="aws-popularity-count",
            event_type="View",
        ),
        DomainRecipe(
            name="aws-ecomm-recommended-for-you",
            domain=_SHOP,
            type=USER_PERSONALIZATION,
            description="Items a shopper will like.",
            learns="aws-user-personalization",
            leaves_out="Purchase",
        ),
        DomainRecipe(
            name="aws-vod-because-you-watched-x",
            domain=_VIDEO,
            type=RELATED_ITEMS,
            description="Titles for who watched a title.",
            learns="aws-sims",
            event_type="Watch",
            leaves_out="Watch",
        ),
        DomainRecipe(
            name="aws-vod-more-like-x",
            domain=_VIDEO,
            type=RELATED_ITEMS,
            description="Titles similar to a title.",
            learns="aws-similar-items",
            leaves_out="Watch",
        ),
        DomainRecipe(
            name="aws-vod-most-popular",
            domain=_VIDEO,
            type=POPULAR_ITEMS,
            description="Titles watched most.",
            learns="aws-popularity-count",
            event_type="Watch",
        ),
        DomainRecipe(
            name="aws-vod-top-picks",
            domain=_VIDEO,
            type=USER_PERSONALIZATION,
            description="Titles a viewer will like.",
            learns="aws-user-personalization",
            leaves_out="Watch",
        ),
        DomainRecipe(
            name="aws-vod-trending-now",
            domain=_VIDEO,
            type=POPULAR_ITEMS,
            description="Titles whose popularity grows fastest.",
            learns="aws-trending-now",
            needs_user=False,
        ),
    )
}
