//go:build tools

// Package tools names the InfluxDB server as something to build, so that `go mod tidy` keeps it.
package tools

import _ "github.com/influxdata/influxdb/v2/cmd/influxd"
