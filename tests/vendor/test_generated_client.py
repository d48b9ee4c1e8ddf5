"""A client that a generator of the field makes of a file, and the mock that serves the file, together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import serving
from .packages import Package

PET_SHOP = Path(__file__).parents[1] / "openapi" / "specs" / "pet-shop-3.0.yaml"
GENERATOR = Package("python", "0.29.1", of="openapi-python-client")

USED_AS_A_SHOP_DOES = """
import sys
from shop.api.pet import add_pet, delete_pet, find_pets_by_status, get_pet_by_id, update_pet
from shop.client import AuthenticatedClient
from shop.models import FindPetsByStatusStatus, Pet, PetStatus

client = AuthenticatedClient(sys.argv[1], "any-token")
sold, available = FindPetsByStatusStatus.SOLD, FindPetsByStatusStatus.AVAILABLE

made = add_pet.sync(client=client, body=Pet("Rex", ["http://a/1.png"], status=PetStatus.AVAILABLE))
other = add_pet.sync(client=client, body=Pet("Tom", [], status=PetStatus.SOLD))
assert made.name == "Rex" and made.id != other.id
assert get_pet_by_id.sync(made.id, client=client) == made

made.status = PetStatus.SOLD
assert update_pet.sync(client=client, body=made) == made
assert get_pet_by_id.sync(made.id, client=client).status == PetStatus.SOLD
assert [pet.id for pet in find_pets_by_status.sync(client=client, status=sold)] == [made.id, other.id]
assert find_pets_by_status.sync(client=client, status=available) == []

assert delete_pet.sync_detailed(made.id, client=client).status_code == 200
assert get_pet_by_id.sync_detailed(made.id, client=client).status_code == 404
assert delete_pet.sync_detailed(made.id, client=client).status_code == 404
assert find_pets_by_status.sync(client=client, status=sold) == [other]
print("done")
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package `shop`, made of the file."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.yaml"
    settings.write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(PET_SHOP)]
    command += ["--meta", "none", "--output-path", str(folder / "shop"), "--config", str(settings)]
    subprocess.run(command, env=GENERATOR.environment(), check=True, capture_output=True)
    return folder


def test_a_generated_client_gets_what_it_has_sent(generated: Path) -> None:
    environment = GENERATOR.environment()
    environment["PYTHONPATH"] += f"{os.pathsep}{generated}"
    with serving("--spec", str(PET_SHOP)) as address:
        command = [sys.executable, "-c", USED_AS_A_SHOP_DOES, f"{address}/api/v3"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("done\n", "")
