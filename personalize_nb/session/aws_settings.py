"""The user's own AWS settings: variables and files that botocore reads. They reach clients of AWS and no others.

What botocore makes of a wrong one is an error of its own at the first client, often without the name of what is wrong.
Which one it is shows by trying again without each of them in turn: no rule of botocore's is repeated here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.session import explanations

if TYPE_CHECKING:
    import botocore.loaders
    import botocore.session

_FILES = {"config_file": "~/.aws/config", "credentials_file": "~/.aws/credentials"}
_ENDPOINT = "AWS_ENDPOINT_URL"
_NOWHERE, _SOME_REGION = "http://127.0.0.1:9", "us-east-1"
# what botocore reads besides its own table of settings
_EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
_CREDENTIALS = (
    *(_EXPIRATION, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
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
    core.register_component("data_loader", _models())
    store = core.get_component("config_store")
    for section in ("s3", "proxies_config"):  # they have variables of their own
        store.set_config_variable(section, {})
    return core


@cache
def _models() -> botocore.loaders.Loader:
    """Return what reads the models of AWS's services, each once for all clients: they take longer than all the rest."""
    import botocore.loaders

    return botocore.loaders.Loader(extra_search_paths=_Places())


class _Places(list[str]):
    """Folders, each once, although every session of boto3 adds its own."""

    def append(self, place: str) -> None:
        if place not in self:
            super().append(place)


@contextmanager
def judged(what: str, profile: str | None = None, region: str | None = None, *, service: str = "s3") -> Iterator[None]:
    """Turn what botocore says of wrong settings into an error that names the setting.

    Parameters
    ----------
    what
        What is being made: `a client of s3`.
    profile, region
        What it is made with, where they are named.
    service
        Whose client shows what is wrong; S3 has settings of every kind.

    Raises
    ------
    AccessError
        The variable or file, its value, what botocore says of it, and what to do.
    BotoCoreError
        What gives the credentials gave none: as botocore has raised it, for `translated`.
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
        if _of_source(error):
            raise  # to be tried without each setting, it would run programs and ask the network each time
        trial = _Trial(service, None if profile == "default" else profile, region)
        raise errors.AccessError(_told(what, error, trial)) from error


def _of_source(error: Exception) -> bool:
    """Tell an error of what gives the credentials, which the table explains, from one of a setting."""
    import botocore.exceptions

    if isinstance(error, botocore.exceptions.PartialCredentialsError):
        return False  # one of two settings is wanting
    row = explanations.of_call([one.__name__ for one in type(error).__mro__], "", "")
    return row is not None and issubclass(row.becomes, errors.CredentialsError)


def _of_profile(error: Exception) -> str:
    gone = getattr(error, "kwargs", {}).get("profile")
    variable = next((name for name in _profile_variables() if gone and os.environ.get(name) == gone), "")
    named = f"{variable} is {gone!r}: " if variable else ""
    return (
        f"{named}{error}. Legal profiles are in {_file('config_file')} and {_file('credentials_file')}; name one of "
        f"them, or leave it out ('profile' here, {variable or 'AWS_PROFILE'} in the environment)."
    )


def _told(what: str, error: Exception, trial: _Trial) -> str:
    wrong, sure = _culprits(error, trial)
    if sure:
        them = "them" if len(wrong) > 1 else "it"
        return (
            f"{' and '.join(wrong)}, so {what} cannot be made: {_sentence(error)} Correct {them} or take {them} away, "
            "then connect again with pnb.connect(); or work offline with pnb.connect(pnb.Session.local())."
        )
    named = wrong or [name for name in sorted(os.environ) if name.startswith(("AWS_", "BOTO"))]
    return (
        f"{what} cannot be made with the AWS settings there are: {_sentence(error)} Which one is wrong does not show; "
        f"look at {_file('config_file')}, {_file('credentials_file')}"
        + (f" and at {'; '.join(named)}" if named else "")
        + ". Or work offline with pnb.connect(pnb.Session.local())."
    )


def _sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if "literal for int" in text:
        text = f"legal is a whole number ({text})"
    elif "object has no attribute" in text:
        text = f"legal are indented lines of 'key = value' below it ({text})"
    return text if text.endswith(".") else f"{text}."


def _culprits(error: Exception, trial: _Trial) -> tuple[list[str], bool]:
    """Return which settings an error may come from, with their values, and whether it surely comes from them."""
    import botocore.exceptions

    if isinstance(error, (botocore.exceptions.ConfigParseError, botocore.exceptions.ConfigNotFound)):
        return [f"the file {str(error.kwargs.get('path'))!r} cannot be read as AWS settings"], True
    if trial.works(frozenset()):
        return [], False  # what fails is not what is tried here
    # keys in hand spare the search for others, which may ask the network
    given = not trial.works(frozenset(), given_keys=True)
    if not given:
        if _EXPIRATION in os.environ and trial.works(frozenset({_EXPIRATION})):
            return [_credential(_EXPIRATION)], True
        # what would be found in their place is not to be searched for, so that any one of them may be it
        if keys := [_credential(name) for name in _CREDENTIALS if name in os.environ]:
            return keys, len(keys) == 1
    shown = trial.settings()
    one = [name for name in shown if trial.works(frozenset({name}), given_keys=given)]
    if len(one) == 1:
        return [shown[one[0]]], True
    everything = frozenset(shown)
    alone = [name for name in one or shown if not trial.works(everything - {name}, given_keys=given)]
    sure = bool(alone) and trial.works(frozenset(alone), given_keys=given)
    return [shown[name] for name in alone or one or shown], sure


def _credential(name: str) -> str:
    return f"the variable {name} of the environment is set"


def _settings() -> Mapping[str, tuple[Any, Any, Any, Any]]:
    """Return botocore's table: by name the key in files, the variables, the default and what reads a text."""
    from botocore import configprovider

    # spelled as it is there
    table: Mapping[str, tuple[Any, Any, Any, Any]] = configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
    return table


class _Trial:
    """Clients of one service, made with all settings but some. Keys of files are named with a `.` before them."""

    def __init__(self, service: str, profile: str | None, region: str | None):
        import botocore.loaders

        self._service, self._profile, self._region = service, profile, region
        # reads the models of AWS's services once for all trials
        self._loader = botocore.loaders.create_loader()

    def works(self, without: frozenset[str], *, given_keys: bool = False) -> bool:
        """Tell whether a client can be made when these variables and keys of files are not there."""
        key = "none" if given_keys else None
        try:
            core = self._session()
            profile = core.full_config["profiles"].get(core.profile or "default", {})
            for name in without:
                if name.startswith("."):
                    profile.pop(name[1:], None)
            environ = {name: value for name, value in os.environ.items() if name not in without}
            self._leave_out(core, without, environ)
            no_region = not without.isdisjoint({"AWS_DEFAULT_REGION", "AWS_REGION", ".region"})
            core.create_client(
                self._service,
                region_name=_SOME_REGION if no_region else self._region,
                endpoint_url=self._endpoint(core, without, environ),
                aws_access_key_id=key,
                aws_secret_access_key=key,
            )
        except Exception:  # whatever it is, it does not come from the settings left out
            return False
        return True

    def settings(self) -> dict[str, str]:
        """Return what is set outside of credentials, and how it is told: variables, then keys of the two files."""
        import botocore.exceptions

        found = {
            name: f"the variable {name} of the environment is {os.environ[name]!r}"
            for name in _variables()
            if name in os.environ
        }
        try:
            core = self._session()
            scoped: Mapping[str, Any] = core.get_scoped_config()
            secret = self._of_credentials_file(core)
        except botocore.exceptions.BotoCoreError:
            return found
        for key, value in scoped.items():
            shown = "set" if key.startswith(("aws_", "sso_")) else repr(value)
            found[f".{key}"] = f"{key} in {_file('credentials_file' if key in secret else 'config_file')} is {shown}"
        return found

    def _session(self) -> botocore.session.Session:
        import botocore.session

        core = botocore.session.Session(profile=self._profile)
        core.register_component("data_loader", self._loader)
        return core

    def _of_credentials_file(self, core: botocore.session.Session) -> Mapping[str, Any]:
        import botocore.configloader
        import botocore.exceptions

        try:
            parsed = botocore.configloader.raw_config_parse(_file("credentials_file"))
        except botocore.exceptions.BotoCoreError:
            return {}
        found: Mapping[str, Any] = parsed.get(core.profile or "default", {})
        return found

    def _leave_out(self, core: botocore.session.Session, without: frozenset[str], environ: Mapping[str, str]) -> None:
        from botocore.configprovider import DEFAULT_S3_CONFIG_VARS

        store = core.get_component("config_store")
        for name, (_, variables, default, _) in _settings().items():
            if not without.isdisjoint(_listed(variables)):
                store.set_config_variable(name, default)
        if not without.isdisjoint(one for row in DEFAULT_S3_CONFIG_VARS.values() for one in _listed(row[1])):
            store.set_config_variable("s3", {})
        if _EXPIRATION in without:
            core.get_component("credential_provider").get_provider("env").environ = environ

    def _endpoint(
        self, core: botocore.session.Session, without: frozenset[str], environ: Mapping[str, str]
    ) -> str | None:
        from botocore.configprovider import ConfiguredEndpointProvider

        if not any(name.startswith(_ENDPOINT) or name in (".endpoint_url", ".services") for name in without):
            return None
        chain = ConfiguredEndpointProvider(core.full_config, core.get_scoped_config(), self._service, environ)
        # without any, botocore would look for those that are left out
        return chain.provide() or _NOWHERE


def files() -> str:
    """Return the names of the two files that botocore reads its settings from."""
    return f"{_file('config_file')}, {_file('credentials_file')}"


def _variables() -> list[str]:
    """Return the variables that botocore reads, without those that only say where a profile's settings are."""
    from botocore.configprovider import DEFAULT_S3_CONFIG_VARS

    rows = [row for name, row in _settings().items() if name not in (*_FILES, "profile")]
    known = [one for row in (*rows, *DEFAULT_S3_CONFIG_VARS.values()) for one in _listed(row[1])]
    endpoints = sorted(name for name in os.environ if name.startswith(_ENDPOINT))
    return list(dict.fromkeys([*known, *endpoints]))


def _profile_variables() -> list[str]:
    return _listed(_settings()["profile"][1])


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _file(name: str) -> str:
    variable = _listed(_settings()[name][1])[0]
    return os.environ.get(variable) or _FILES[name]
