"""Commands about accounts."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from reception.accounts.operations import NewOfficer, create_officer
from reception.cli import json_option, report
from reception.clock import legal_today
from workflows.access import Role
from workflows.errors import BadInput, DomainError

users = AppGroup("users", help="Accounts of officers.")
ROLES = [role.value for role in Role if role is not Role.CITIZEN]


@users.command("create")
@click.option("--login", required=True, help="Name to log in with.")
@click.option("--name", required=True, help="Full name, shown to others.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the post lets one do.")
@click.option("--unit", required=True, metavar="CODE", help="Code of the unit; the province's own.")
@click.option("--title", default="", help="Title of the post; the role's name if left out.")
@json_option
def create(login: str, name: str, role: str, unit: str, title: str, as_json: bool) -> None:
    """Make an account with its post; asks for the password twice without showing it.

    The first account of an installation is made so; exit 1 when something is refused.
    """
    password = click.prompt("Mật khẩu", hide_input=True, confirmation_prompt=True)
    wanted = NewOfficer(login, name, Role(role), unit, title)
    try:
        account_id = create_officer(wanted, password=password, on=legal_today())
    except BadInput as error:
        raise click.ClickException(" ".join(error.fields.values())) from error
    except DomainError as error:
        raise click.ClickException(error.message) from error
    report(
        {"id": account_id, "login": login.strip().lower(), "role": role, "unit": unit},
        as_json=as_json,
        lines=lambda: [f"Đã tạo tài khoản {login.strip().lower()} · {role} · {unit}"],
    )


COMMANDS = (users,)
