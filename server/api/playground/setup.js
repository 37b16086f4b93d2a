// Runs before GraphiQL: takes the token, and sends it along with everything that GraphiQL sends.
(() => {
  'use strict';
  const KEY = 'gantry-token';
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(KEY, given);
    // Out of the address bar, the history and every link that is copied from here.
    history.replaceState(null, '', location.pathname + location.search);
  }
  const authorization = () => {
    // Whoever is signed in to the web UI is signed in here.
    const token = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
    return token ? `Bearer ${token}` : undefined;
  };

  const isOurs = (address) => new URL(address, location.href).host === location.host;

  const plainFetch = window.fetch.bind(window);
  window.fetch = (input, init = {}) => {
    const value = authorization();
    const address = input instanceof Request ? input.url : String(input);
    if (!value || !isOurs(address)) return plainFetch(input, init);
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!headers.has('authorization')) headers.set('authorization', value);
    return plainFetch(input, { ...init, headers });
  };

  const PlainWebSocket = window.WebSocket;
  window.WebSocket = class extends PlainWebSocket {
    send(data) {
      super.send(typeof data === 'string' && isOurs(this.url) ? withToken(data) : data);
    }
  };
  function withToken(text) {
    const message = JSON.parse(text);
    const value = authorization();
    if (message.type !== 'connection_init' || !value) return text;
    return JSON.stringify({ ...message, payload: { authorization: value, ...message.payload } });
  }

  const workers = {
    editorWorkerService: '/playground/editor-worker.js',
    json: '/playground/json-worker.js',
    graphql: '/playground/graphql-worker.js',
  };
  self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => workers[label] };

  /** Asks for the token where there is none, instead of a page full of refusals. */
  window.gantryToken = {
    isKnown: () => authorization() !== undefined,
    set: (token) => sessionStorage.setItem(KEY, token),
  };
})();
