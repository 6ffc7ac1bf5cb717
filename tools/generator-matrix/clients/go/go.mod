module example.com/nav/cases

go 1.23

require example.com/nav/klient v0.0.0

replace example.com/nav/klient => ../client
