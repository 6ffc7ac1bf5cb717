import sys
from uuid import UUID

from cases import exported, nulls_of, run
from tiltak_datadeling_client import Client
from tiltak_datadeling_client.api.avtaler import hent_avtale, sok_avtaler
from tiltak_datadeling_client.api.endringer import eksporter_avtaler, hent_endringer
from tiltak_datadeling_client.models import Sok

base, avtale_id, etag = sys.argv[1:4]


def client(name):
    return Client(base_url=f"{base}/{name}")


def get(name, **headers):
    return hent_avtale.sync_detailed(UUID(avtale_id), client=client(name), **headers)


def search(name, antall):
    return sok_avtaler.sync(client=client(name), body=Sok(antall=antall)).avtaler


def known():
    avtale = get("kjent").parsed
    return {"avtaleId": avtale.avtale_id, "tiltakstype": avtale.tiltakstype}


def new_value():
    avtaler = search("ny-verdi", 3)
    return {"antall": len(avtaler), "verdi": avtaler[0].tiltakstype}


def problem():
    answer = hent_endringer.sync_detailed(client=client("problem"), etter="x")
    typed = answer.parsed
    return {
        "status": int(answer.status_code),
        "type": typed.type_,
        "nyStart": typed.ny_start.eksport,
        "form": "the typed problem, with the status",
    }


run("kjent", known)
run("ny-verdi", new_value)
run("nytt-felt", lambda: {"antall": len(search("nytt-felt", 3))})
run("null", lambda: nulls_of(get("null").parsed))
run("mikrosekunder", lambda: {"tid": get("mikrosekunder").parsed.sist_endret.isoformat()})
run("304", lambda: {"status": int(get("304", if_none_match=etag).status_code)})
run("problem", problem)
run("eksport", lambda: exported(getattr(eksporter_avtaler.sync(client=client("eksport")), "payload", None)))
run("liste", lambda: {"antall": len(search("liste", 20))})
