import { INFLUX, PROMETHEUS } from './targets.js'

/**
 * What Grafana reads at its start. `$NAME` is filled in by Grafana from its own environment, `$__file{…}` from a file
 * (documentation "Provision Grafana"; pkg/services/provisioning/values); a `$` that stays one is written twice.
 */
export const FOLDER = { title: 'quantrac', uid: 'quantrac' } as const

/** Where the boards lie inside Grafana's container or machine. */
const BOARDS_PATH = '/var/lib/grafana/dashboards/quantrac'
const TOKEN_FILE = '/run/secrets/quantrac_grafana_influx_token'

export const dataSources = () => ({
  apiVersion: 1,
  prune: true,
  datasources: [
    {
      name: 'quantrac Prometheus',
      uid: PROMETHEUS.uid,
      type: 'prometheus',
      access: 'proxy',
      url: '$QUANTRAC_PROMETHEUS_URL',
      isDefault: true,
      editable: false,
      jsonData: { httpMethod: 'POST', timeInterval: '15s' }
    },
    {
      name: 'quantrac InfluxDB',
      uid: INFLUX.uid,
      type: 'influxdb',
      access: 'proxy',
      url: '$QUANTRAC_INFLUX_URL',
      editable: false,
      jsonData: {
        version: 'Flux',
        organization: '$QUANTRAC_INFLUX_ORG',
        // Boards name the other buckets after this one.
        defaultBucket: '$QUANTRAC_INFLUX_BUCKET',
        timeInterval: '1m',
        maxSeries: 5_000
      },
      // May read the bucket and the one named after it with -context, and nothing else.
      secureJsonData: { token: `$__file{${TOKEN_FILE}}` }
    }
  ]
})

export const boardProviders = () => ({
  apiVersion: 1,
  providers: [
    {
      name: 'quantrac',
      orgId: 1,
      folder: FOLDER.title,
      folderUid: FOLDER.uid,
      type: 'file',
      disableDeletion: true,
      allowUiUpdates: false,
      updateIntervalSeconds: 60,
      options: { path: BOARDS_PATH, foldersFromFilesStructure: false }
    }
  ]
})
