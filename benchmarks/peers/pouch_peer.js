// PouchDB against express-pouchdb, timed on the same rows: node pouch_peer.js PORT FOLDER ROWS.json
const fs = require('fs')
const [port, folder, file] = process.argv.slice(2)
const PouchDB = require('pouchdb').defaults({ prefix: folder + '/' })
const rows = JSON.parse(fs.readFileSync(file, 'utf-8'))

async function timed (work) {
  const started = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - started) / 1e9
}

async function main () {
  const url = `http://127.0.0.1:${port}/customers`
  const one = new PouchDB('one')
  await one.bulkDocs(rows.map(({ id, ...rest }) => ({ _id: id, ...rest })))
  const push = await timed(() => one.replicate.to(url, { batch_size: 1000 }))
  const two = new PouchDB('two')
  const pull = await timed(() => two.replicate.from(url, { batch_size: 1000 }))
  const { doc_count: held } = await two.info()
  if (held !== rows.length) throw new Error(`${held} of ${rows.length} documents came`)
  const quiet = await timed(() => two.replicate.from(url))
  console.log(JSON.stringify({
    rows: rows.length, push_rows_s: rows.length / push, pull_rows_s: rows.length / pull, quiet_ms: quiet * 1000
  }))
  process.exit(0)
}
main().catch(error => { console.error(error); process.exit(1) })
