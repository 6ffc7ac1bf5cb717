"""What both Python programs share: asks in each case, and prints what was seen, a line of JSON for each."""

import json


def run(name, ask):
    try:
        seen = ask()
    except Exception as error:
        seen = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"case": name, **seen}, default=str))


def nulls_of(avtale):
    fields = {
        "avtaleNr": avtale.avtale_nr,
        "bedriftNr": avtale.bedrift_nr,
        "startDato": avtale.start_dato,
        "annullertTidspunkt": avtale.annullert_tidspunkt,
    }
    return {"nuller": {name: value is None for name, value in fields.items()}}


def exported(given):
    if isinstance(given, (bytes, bytearray)):
        text, form = bytes(given).decode(), "bytes"
    elif hasattr(given, "read"):
        text, form = given.read().decode(), "a stream"
    else:
        raise TypeError(f"the export is given as {type(given).__name__}")
    return {"linjer": len(text.strip().split("\n")), "form": form}
