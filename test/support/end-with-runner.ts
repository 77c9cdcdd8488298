// A worker whose runner was killed would go on with its tests, and with the servers they started.
process.on('disconnect', () => process.exit(1));
