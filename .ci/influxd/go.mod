// A wrapper: `go install module@version` refuses a module with replace lines, so its two lines are repeated here.
module quantrac.invalid/influxd

go 1.25.10

require github.com/influxdata/influxdb/v2 v2.9.1

replace github.com/nats-io/nats-streaming-server v0.11.2 => github.com/influxdata/nats-streaming-server v0.11.3-0.20201112040610-c277f7560803

replace google.golang.org/protobuf v1.30.0 => google.golang.org/protobuf v1.33.0
