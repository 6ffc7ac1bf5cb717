import sys
from uuid import UUID

from cases import exported, nulls_of, run
from openapi_client import ApiClient, ApiException, AvtalerApi, Configuration, EndringerApi, Sok

base, avtale_id, etag = sys.argv[1:4]


def client(name):
    return ApiClient(Configuration(host=f"{base}/{name}"))


def get(name, **headers):
    return AvtalerApi(client(name)).hent_avtale(UUID(avtale_id), **headers)


def search(name, antall):
    return AvtalerApi(client(name)).sok_avtaler(Sok(antall=antall)).avtaler


def value_of(coded):
    return getattr(coded, "value", coded)


def status_304():
    try:
        get("304", if_none_match=etag)
        return {"status": 200}
    except ApiException as error:
        return {"status": error.status}


def problem():
    try:
        EndringerApi(client("problem")).hent_endringer(etter="x")
        return {"status": 200}
    except ApiException as error:
        typed = error.data
        return {
            "status": error.status,
            "type": typed.type,
            "nyStart": typed.ny_start.eksport,
            "form": "an exception with the typed problem",
        }


def new_value():
    avtaler = search("ny-verdi", 3)
    return {"antall": len(avtaler), "verdi": value_of(avtaler[0].tiltakstype)}


def known():
    avtale = get("kjent")
    return {"avtaleId": avtale.avtale_id, "tiltakstype": value_of(avtale.tiltakstype)}


run("kjent", known)
run("ny-verdi", new_value)
run("nytt-felt", lambda: {"antall": len(search("nytt-felt", 3))})
run("null", lambda: nulls_of(get("null")))
run("mikrosekunder", lambda: {"tid": get("mikrosekunder").sist_endret.isoformat()})
run("304", status_304)
run("problem", problem)
run("eksport", lambda: exported(EndringerApi(client("eksport")).eksporter_avtaler()))
run("liste", lambda: {"antall": len(search("liste", 20))})
