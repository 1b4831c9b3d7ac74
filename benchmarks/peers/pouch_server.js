// express-pouchdb on leveldb, as its documentation starts it: node pouch_server.js PORT FOLDER
const [port, folder] = process.argv.slice(2)
const PouchDB = require('pouchdb').defaults({ prefix: folder + '/' })
const makeApp = require('express-pouchdb')
const express = require('express')
const app = express()
app.use('/', makeApp(PouchDB, { inMemoryConfig: true, logPath: folder + '/log.txt' }))
app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
