// Why a port could not be listened on, with what to change: the most common fault of a first start.

/** `portVariable` is the environment variable that sets the port. */
export function listenError(cause: unknown, host: string, port: number, portVariable: string): Error {
  return new Error(`${reason(String(cause), host, port, portVariable)}`, { cause });
}

function reason(cause: string, host: string, port: number, portVariable: string): string {
  const place = `port ${port} of ${host}`;
  if (cause.includes('EADDRINUSE')) {
    return `${place} is in use: end what listens there, or set ${portVariable} to another port (0 takes any)`;
  }
  if (cause.includes('EACCES')) return `${place} needs more rights: set ${portVariable} to a port from 1024 on`;
  if (cause.includes('EADDRNOTAVAIL') || cause.includes('ENOTFOUND')) {
    return `${host} is no address of this machine: set HOST to one, such as 127.0.0.1`;
  }
  return `cannot listen on ${place} (HOST, ${portVariable}): ${cause}`;
}
