// Asks the process in the same container whether it is ready: exit code 0 or 1. The image's health check, which needs neither
// curl nor a shell. It asks the admin endpoint where ADMIN_PORT names its port (masters, workers), else the gateway.

const port = process.env['ADMIN_PORT'] || process.env['HTTP_PORT'] || '8080';

const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null);
process.exit(answer?.ok ? 0 : 1);
