import { Bench } from './fixtures.js'
import { FileHome } from './homes.js'
import { killSuite } from './kill-suite.js'

killSuite(new Bench(new FileHome()))
