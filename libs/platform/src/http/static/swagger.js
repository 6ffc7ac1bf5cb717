// @ts-check
// Starts Swagger UI with what is ours about it: the responses that are documented are folded, and what it leaves without
// a name that can be read aloud gets one.

/** Each operation shows what it was answered; what it may be answered is there for who asks. */
const foldedResponses = (Original, { React }) =>
  function FoldedResponses(properties) {
    const [isOpen, setOpen] = React.useState(false);
    const toggle = React.createElement(
      'button',
      { type: 'button', className: 'svar-knapp', 'aria-expanded': isOpen, onClick: () => setOpen(!isOpen) },
      isOpen ? 'Hide the documented responses' : 'Show the documented responses',
    );
    return React.createElement(
      'div',
      { className: isOpen ? 'svar' : 'svar svar-foldet' },
      React.createElement(Original, properties),
      toggle,
    );
  };

/** The name of an operation is within a button already, which sets the address too: a link in it could not be reached. */
const plainName = (_Original, { React }) =>
  function PlainName({ text }) {
    return React.createElement('span', null, text);
  };

window.ui = window.SwaggerUIBundle({
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [{ wrapComponents: { responses: foldedResponses, DeepLink: plainName } }],
  ...window.swaggerSettings,
});
window.showWho(window.ui);

/** By selector: what is read aloud. */
const NAMES = {
  '.operation-filter-input': 'Filter by tag',
  '#servers': 'Server',
  '.examples-select-element': 'Example',
  '.body-param__text': 'Request body',
  '.body-param-content-type select': 'Media type of the request body',
  '.response-controls select': 'Media type of the response',
  '.content-type-wrapper select': 'Media type',
  '.parameters-col_description select': 'Value',
  '.parameters-col_description input': 'Value',
  '.parameters-col_description textarea': 'Value',
  '.auth-container input': 'Token',
  '.model-box-control': 'Show or hide the schema',
};

function mend(root) {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const element of root.querySelectorAll(selector)) {
      if (element.hasAttribute('aria-label')) continue;
      const parameter = element.closest('tr')?.dataset.paramName;
      element.setAttribute('aria-label', parameter && name === 'Value' ? `Value of ${parameter}` : name);
    }
  }
  for (const scroller of root.querySelectorAll(
    '.microlight, .highlight-code > pre, .opblock-body pre, .table-container',
  )) {
    if (!scroller.hasAttribute('tabindex')) scroller.tabIndex = 0;
  }
}

// What Swagger UI draws, it draws again and again.
let isDue = false;
const target = document.getElementById('swagger-ui');
new MutationObserver(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    mend(target);
  });
}).observe(target, { childList: true, subtree: true });
