"""Campaigns: a solution version made ready for `personalize-runtime`.

A campaign of `<solution ARN>/$LATEST` follows its solution: it answers from the newest ACTIVE version. Updates walk
in `latestCampaignUpdate` while the campaign goes on answering as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from personalize_nb.contract.limits import ACTIVE, FAILED
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.exploration import check_exploration
from personalize_nb.local.personalize.operations.influence import check_influence
from personalize_nb.local.state.facts import Changes
from personalize_nb.local.state.kinds import CAMPAIGN, SOLUTION, SOLUTION_VERSION
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import CampaignResource, VersionResource

LATEST = "/$LATEST"


@operation("CreateCampaign")
def create_campaign(control: Control, params: shapes.CreateCampaignRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    config = cast("shapes.CampaignConfigOutputTypeDef", params.get("campaignConfig", {}))
    arn = control.arn(f"campaign/{name}")
    control.check_free(arn)
    version = _version(control, params["solutionVersionArn"], config)
    _check_config(version, config)
    body = {
        "name": name,
        "campaignArn": arn,
        "solutionVersionArn": version.arn,
        "minProvisionedTPS": params.get("minProvisionedTPS", 1),
    }
    body |= {"campaignConfig": config} if config else {}
    control.add(CAMPAIGN, arn, name, body, params, group_arn=version.group_arn, parent_arn=version.parent_arn)
    return {"campaignArn": arn}


def _version(control: Control, arn: str, config: shapes.CampaignConfigOutputTypeDef) -> VersionResource:
    """Return the solution version that a request names, directly or as a solution's latest."""
    follows = config.get("syncWithLatestSolutionVersion", False)
    if arn.endswith(LATEST) != follows:
        raise invalid(
            "syncWithLatestSolutionVersion true and a solutionVersionArn of the form <solution Arn>/$LATEST belong "
            f"together; got {follows} with {arn}."
        )
    if not follows:
        return control.require_active(SOLUTION_VERSION, arn)
    solution = control.require(SOLUTION, arn.removesuffix(LATEST))
    latest = newest_version(control, solution.arn)
    if latest is None:
        raise ApiError("ResourceInUseException", f"{solution.arn} has no {ACTIVE} solution version yet.")
    return latest


def newest_version(control: Control, solution_arn: str) -> VersionResource | None:
    """Return the newest ACTIVE version of a solution, or None."""
    found = control.store.list(SOLUTION_VERSION, parent_arn=solution_arn, statuses=[ACTIVE], newest_first=True, limit=1)
    return found[0] if found else None


def _check_config(version: VersionResource, config: shapes.CampaignConfigOutputTypeDef) -> None:
    recipe = RECIPES[version.facts.recipe]
    if not recipe.realtime:
        raise invalid(f"Campaigns are not supported by recipe {recipe.name} of type {recipe.type}.")
    check_exploration(recipe, config.get("itemExplorationConfig", {}))
    check_influence(recipe, config.get("rankingInfluence", {}), version.facts.schemas)


def serving_version(control: Control, campaign: CampaignResource) -> str:
    """Return the ARN of the solution version that a campaign answers from now."""
    follows = campaign.body.get("campaignConfig", {}).get("syncWithLatestSolutionVersion")
    version_arn = campaign.body["solutionVersionArn"]
    latest = newest_version(control, version_arn.rpartition("/")[0]) if follows else None
    return version_arn if latest is None else latest.arn


@operation("DescribeCampaign")
def describe_campaign(control: Control, params: shapes.DescribeCampaignRequestTypeDef) -> dict[str, Any]:
    campaign = control.require(CAMPAIGN, params["campaignArn"])
    return {"campaign": campaign.described() | {"solutionVersionArn": serving_version(control, campaign)}}


@operation("ListCampaigns")
def list_campaigns(control: Control, params: shapes.ListCampaignsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "campaigns", CAMPAIGN, parent_arn=params.get("solutionArn"))


@operation("UpdateCampaign")
def update_campaign(control: Control, params: shapes.UpdateCampaignRequestTypeDef) -> dict[str, Any]:
    campaign = control.require(CAMPAIGN, params["campaignArn"])
    if campaign.status not in (ACTIVE, FAILED):
        raise ApiError("ResourceInUseException", f"{campaign.arn} has status {campaign.status}; it must be {ACTIVE}.")
    config = cast(
        "shapes.CampaignConfigOutputTypeDef", params.get("campaignConfig", campaign.body.get("campaignConfig", {}))
    )
    given = params.get("solutionVersionArn")
    if given is None:
        version = control.require(SOLUTION_VERSION, serving_version(control, campaign))
    else:
        version = _version(control, given, config)
    if version.parent_arn != campaign.parent_arn:
        raise invalid(f"{version.arn} is not a version of {campaign.parent_arn}, the solution of this campaign.")
    _check_config(version, config)
    shown = {
        "solutionVersionArn": version.arn,
        "minProvisionedTPS": params.get("minProvisionedTPS", campaign.body["minProvisionedTPS"]),
    }
    shown |= {"campaignConfig": config} if config else {}
    updates.begin(control.store, campaign, "latestCampaignUpdate", shown, Changes(shown))
    return {"campaignArn": campaign.arn}


@operation("DeleteCampaign")
def delete_campaign(control: Control, params: shapes.DeleteCampaignRequestTypeDef) -> None:
    campaign = control.require(CAMPAIGN, params["campaignArn"])
    if campaign.status in UNFINISHED or updates.planned(campaign) is not None:
        raise ApiError("ResourceInUseException", f"{campaign.arn} is being made or updated; wait until that has ended.")
    control.remove(campaign)
