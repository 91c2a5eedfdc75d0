"""The user's own AWS settings: variables and files that botocore reads. They reach clients of AWS and no others.

What botocore makes of a wrong one is an error of its own at the first client, often without the name of what is wrong.
Which one it is shows by trying again without each of them in turn: no rule of botocore's is repeated here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from personalize_nb import errors

if TYPE_CHECKING:
    import botocore.session

_FILES = {"config_file": "~/.aws/config", "credentials_file": "~/.aws/credentials"}
_ENDPOINT = "AWS_ENDPOINT_URL"
_NOWHERE, _SOME_REGION = "http://127.0.0.1:9", "us-east-1"
# what botocore reads besides its own table of settings
_CREDENTIALS = (
    *("AWS_CREDENTIAL_EXPIRATION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)


def session_without_settings() -> botocore.session.Session:
    """Return a botocore session that no variable and no file of the user reaches: profiles, retries, proxies, FIPS."""
    import botocore.session

    core = botocore.session.Session(
        {
            name: (None, [], os.devnull if name in _FILES else default, None)
            for name, (_, _, default, _) in _settings().items()
        }
    )
    store = core.get_component("config_store")
    for section in ("s3", "proxies_config"):  # they have variables of their own
        store.set_config_variable(section, {})
    return core


@contextmanager
def judged(what: str, profile: str | None = None, region: str | None = None) -> Iterator[None]:
    """Turn what botocore says of wrong settings into an error that names the setting.

    Parameters
    ----------
    what
        What is being made: `a client of s3`.
    profile, region
        What it is made with, where they are named.

    Raises
    ------
    AccessError
        The variable or file, its value, what botocore says of it, and what to do.
    """
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.UnknownServiceError:
        raise  # a name in the user's code, not in the settings
    except botocore.exceptions.ProfileNotFound as error:
        raise errors.AccessError(_of_profile(error)) from error
    # botocore has exceptions of its own for some settings, and ValueError, TypeError or OSError for others
    except Exception as error:
        trial = _Trial(None if profile == "default" else profile, region)
        raise errors.AccessError(_told(what, error, trial)) from error


def _of_profile(error: Exception) -> str:
    named = next((f"{name} is {os.environ[name]!r}: " for name in _profile_variables() if os.environ.get(name)), "")
    return (
        f"{named}{error}. Legal profiles are in {_file('config_file')} and {_file('credentials_file')}; name one of "
        "them, or leave it out ('profile' here, AWS_PROFILE in the environment)."
    )


def _told(what: str, error: Exception, trial: _Trial) -> str:
    setting = _culprit(error, trial)
    if setting is not None:
        return (
            f"{setting}, so {what} cannot be made: {_sentence(error)} Correct it or take it away, then connect again "
            "with pnb.connect(); or work offline with pnb.connect(pnb.Session.local())."
        )
    named = sorted(name for name in os.environ if name.startswith(("AWS_", "BOTO")))
    return (
        f"{what} cannot be made with the AWS settings there are: {_sentence(error)} Look at "
        f"{_file('config_file')}, {_file('credentials_file')}" + (f" and at {', '.join(named)}" if named else "") + "; "
        "or work offline with pnb.connect(pnb.Session.local())."
    )


def _sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if "literal for int" in text:
        text = f"legal is a whole number ({text})"
    return text if text.endswith(".") else f"{text}."


def _culprit(error: Exception, trial: _Trial) -> str | None:
    """Return which setting an error comes from, with its value; None where no single one does."""
    import botocore.exceptions

    if isinstance(error, (botocore.exceptions.ConfigParseError, botocore.exceptions.ConfigNotFound)):
        return f"the file {str(error.kwargs.get('path'))!r} cannot be read as AWS settings"
    # keys in hand spare the search for others, which may ask the network
    given = not trial.works(given_keys=True)
    for name in _variables():
        if name in os.environ and trial.works(without=name, given_keys=given or name in _CREDENTIALS):
            shown = "set" if name in _CREDENTIALS else repr(os.environ[name])
            return f"the variable {name} of the environment is {shown}"
    for key, value in trial.settings_of_file().items():
        if trial.works(without_key=key, given_keys=given):
            return f"{key} in {_file('config_file')} is {value!r}"
    return None


def _settings() -> Mapping[str, tuple[Any, Any, Any, Any]]:
    """Return botocore's table: by name the key in files, the variables, the default and what reads a text."""
    from botocore import configprovider

    # spelled as it is there
    table: Mapping[str, tuple[Any, Any, Any, Any]] = configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
    return table


class _Trial:
    """Clients of S3, which has settings of every kind, made with all settings but one."""

    def __init__(self, profile: str | None, region: str | None):
        import botocore.loaders

        self._profile, self._region = profile, region
        # reads the models of AWS's services once for all trials
        self._loader = botocore.loaders.create_loader()

    def works(self, *, without: str = "", without_key: str = "", given_keys: bool = False) -> bool:
        """Tell whether a client can be made when one variable, or one key of the configuration file, is not there."""
        import botocore.session
        from botocore.configprovider import DEFAULT_S3_CONFIG_VARS

        core = botocore.session.Session(profile=self._profile)
        core.register_component("data_loader", self._loader)
        store = core.get_component("config_store")
        for name, (key, variables, default, _) in _settings().items():
            if without in _listed(variables) or (without_key and key == without_key):
                store.set_config_variable(name, default)
        of_s3 = [one for row in DEFAULT_S3_CONFIG_VARS.values() for one in _listed(row[1])]
        if without_key == "s3" or without in of_s3:
            store.set_config_variable("s3", {})
        no_region = without in ("AWS_DEFAULT_REGION", "AWS_REGION") or without_key == "region"
        no_endpoint = without.startswith(_ENDPOINT) or without_key == "endpoint_url"
        key = "none" if given_keys else None
        try:
            core.create_client(
                "s3",
                region_name=_SOME_REGION if no_region else self._region,
                endpoint_url=_NOWHERE if no_endpoint else None,
                aws_access_key_id=key,
                aws_secret_access_key=key,
            )
        except Exception:  # whatever it is, it does not come from the setting left out
            return False
        return True

    def settings_of_file(self) -> Mapping[str, Any]:
        """Return what the configuration file holds for the profile."""
        import botocore.exceptions
        import botocore.session

        try:
            settings: Mapping[str, Any] = botocore.session.Session(profile=self._profile).get_scoped_config()
        except botocore.exceptions.BotoCoreError:
            return {}
        return settings


def _variables() -> list[str]:
    """Return the variables that botocore reads, without those that only say where a profile's settings are."""
    from botocore.configprovider import DEFAULT_S3_CONFIG_VARS

    rows = [row for name, row in _settings().items() if name not in (*_FILES, "profile")]
    known = [one for row in (*rows, *DEFAULT_S3_CONFIG_VARS.values()) for one in _listed(row[1])]
    endpoints = sorted(name for name in os.environ if name.startswith(_ENDPOINT))
    return [*known, *endpoints, *_CREDENTIALS]


def _profile_variables() -> list[str]:
    return _listed(_settings()["profile"][1])


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _file(name: str) -> str:
    variable = _listed(_settings()[name][1])[0]
    return os.environ.get(variable) or _FILES[name]
