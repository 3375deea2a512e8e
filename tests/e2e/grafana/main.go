// SPDX-License-Identifier: Apache-2.0

// Reads dashboards as Grafana's own schema has them: an unknown field, a missing one, one of another type or out of
// its range is an error. Panels' options are those of each panel's type.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func check(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// What is in order can be an empty list of errors; the panels are then not there to be validated.
	if err = dashboard.NewDashboard().UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err
	}
	board := dashboard.NewDashboard()
	if err = json.Unmarshal(text, board); err != nil {
		return err
	}
	return board.Validate()
}

func main() {
	plugins.RegisterDefaultPlugins()
	status := 0
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			status = 1
		}
	}
	os.Exit(status)
}
