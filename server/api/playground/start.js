// Shows GraphiQL with a few operations to begin with, or asks for a token first.
(() => {
  'use strict';
  const examples = [
    `# Who am I, and what pipelines are there?
query Pipelines {
  viewer { name role }
  pipelines(first: 20) {
    totalCount
    nodes {
      name
      paused
      version { number description params { name type isRequired default } }
      runs(first: 3) { nodes { id state createdAt duration } }
    }
  }
}
`,
    `# Triggers a run. Then follow it in the next tab with the id that comes back.
mutation Trigger($pipeline: String!, $params: JSON) {
  triggerRun(input: { pipeline: $pipeline, params: $params }) {
    __typename
    ... on TriggerRunPayload { run { id state } }
    ... on Error { message }
    ... on InvalidParams { problems { code message path remedy } }
  }
}
`,
    `# Every change of one run and its task runs, until it has ended.
subscription Follow($id: ID!, $after: String) {
  run(id: $id, after: $after) {
    cursor
    type
    at
    run { state counts { total finished failed } }
    taskRun { id taskKey state attempt { number state nodeName failure { code message } } }
  }
}
`,
    `# What a task run prints, and has printed.
subscription Logs($taskRun: ID!) {
  logs(taskRun: $taskRun) { cursor at stream text }
}
`,
    `# The machines, what they have and what of it is taken.
query Nodes {
  nodes {
    nodes {
      name
      poolName
      connection
      eligibility
      heardAt
      capacity { name quantity }
      reserved { name quantity }
      runners { name version health }
    }
  }
}
`,
  ];
  const variables = [
    undefined,
    '{ "pipeline": "dependency-audit", "params": {} }',
    '{ "id": "" }',
    '{ "taskRun": "" }',
    undefined,
  ];
  const root = document.querySelector('#root');

  function show() {
    root.replaceChildren();
    window.YogaGraphiQL.renderYogaGraphiQL(root, {
      endpoint: '/graphql',
      title: 'Gantry',
      subscriptionsProtocol: 'WS',
      shouldPersistHeaders: false,
      defaultQuery: examples[0],
      defaultTabs: examples.map((query, at) => ({ query, variables: variables[at] })),
    });
  }

  function ask() {
    const form = document.createElement('form');
    form.className = 'gantry-token';
    const label = document.createElement('label');
    label.textContent = 'Token (the server printed it when it was started for the first time)';
    const input = document.createElement('input');
    input.type = 'password';
    input.autocomplete = 'off';
    input.required = true;
    const button = document.createElement('button');
    button.textContent = 'Go on';
    label.append(input);
    form.append(label, button);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      window.gantryToken.set(input.value.trim());
      show();
    });
    root.replaceChildren(form);
    input.focus();
  }

  if (window.gantryToken.isKnown()) show();
  else ask();
})();
