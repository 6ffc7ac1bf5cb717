// Asks in each case, and prints what was seen: a line of JSON for each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	klient "example.com/nav/klient"
)

type facts map[string]any

func main() {
	base, id, etag := os.Args[1], os.Args[2], os.Args[3]
	ctx := context.Background()
	client := func(name string) *klient.APIClient {
		configuration := klient.NewConfiguration()
		configuration.Servers = klient.ServerConfigurations{{URL: base + "/" + name}}
		return klient.NewAPIClient(configuration)
	}
	search := func(name string, antall int32) (*klient.Avtaleside, error) {
		sok := klient.NewSok()
		sok.SetAntall(antall)
		side, _, err := client(name).AvtalerAPI.SokAvtaler(ctx).Sok(*sok).Execute()
		return side, err
	}
	run("kjent", func() (facts, error) {
		avtale, _, err := client("kjent").AvtalerAPI.HentAvtale(ctx, id).Execute()
		if err != nil {
			return nil, err
		}
		return facts{"avtaleId": avtale.GetAvtaleId(), "tiltakstype": avtale.GetTiltakstype()}, nil
	})
	run("ny-verdi", func() (facts, error) {
		side, err := search("ny-verdi", 3)
		if err != nil {
			return nil, err
		}
		return facts{"antall": len(side.GetAvtaler()), "verdi": side.GetAvtaler()[0].GetTiltakstype()}, nil
	})
	run("nytt-felt", func() (facts, error) {
		side, err := search("nytt-felt", 3)
		if err != nil {
			return nil, err
		}
		return facts{"antall": len(side.GetAvtaler())}, nil
	})
	run("null", func() (facts, error) {
		avtale, _, err := client("null").AvtalerAPI.HentAvtale(ctx, id).Execute()
		if err != nil {
			return nil, err
		}
		return facts{"nuller": facts{
			"avtaleNr":           avtale.AvtaleNr.Get() == nil,
			"bedriftNr":          avtale.BedriftNr.Get() == nil,
			"startDato":          avtale.StartDato.Get() == nil,
			"annullertTidspunkt": avtale.AnnullertTidspunkt.Get() == nil,
		}}, nil
	})
	run("mikrosekunder", func() (facts, error) {
		avtale, _, err := client("mikrosekunder").AvtalerAPI.HentAvtale(ctx, id).Execute()
		if err != nil {
			return nil, err
		}
		return facts{"tid": avtale.GetSistEndret()}, nil
	})
	run("304", func() (facts, error) {
		_, response, err := client("304").AvtalerAPI.HentAvtale(ctx, id).IfNoneMatch(etag).Execute()
		if response == nil {
			return nil, err
		}
		return facts{"status": response.StatusCode}, nil
	})
	run("problem", func() (facts, error) {
		_, response, err := client("problem").EndringerAPI.HentEndringer(ctx).Etter("x").Execute()
		var problem *klient.GenericOpenAPIError
		if !errors.As(err, &problem) {
			return nil, err
		}
		seen := facts{"status": response.StatusCode, "form": "an error with the typed problem"}
		if typed, ok := problem.Model().(klient.UtgaattProblem); ok {
			start := typed.GetNyStart()
			seen["type"], seen["nyStart"] = typed.GetType(), start.GetEksport()
			return seen, nil
		}
		return nil, fmt.Errorf("not typed: %s", problem.Body())
	})
	run("eksport", func() (facts, error) {
		given, _, err := client("eksport").EndringerAPI.EksporterAvtaler(ctx).Execute()
		if err != nil {
			return nil, err
		}
		return exported(given)
	})
	run("liste", func() (facts, error) {
		side, err := search("liste", 20)
		if err != nil {
			return nil, err
		}
		return facts{"antall": len(side.GetAvtaler())}, nil
	})
}

// As a file, or as whatever another document makes of it.
func exported(given any) (facts, error) {
	file, ok := given.(*os.File)
	if !ok {
		return nil, fmt.Errorf("%T", given)
	}
	lines := 0
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		lines++
	}
	return facts{"linjer": lines, "form": "a file"}, scanner.Err()
}

func run(name string, ask func() (facts, error)) {
	seen, err := ask()
	if err != nil {
		seen = facts{"error": err.Error()}
	}
	seen["case"] = name
	line, _ := json.Marshal(seen)
	fmt.Println(string(line))
}
