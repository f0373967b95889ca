raise SystemExit('inert example')
