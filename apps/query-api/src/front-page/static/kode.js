// @ts-check
// Code that is easy to read: JSON, and a few lines of other languages, in colours. Nothing of it becomes markup.

const JSON_PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/g;
const CODE_PARTS =
  /("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|`[^`]*`)()|(\b\d+(?:\.\d+)?\b)|((?:\/\/|#)[^\n]*)|\b(import|from|const|let|await|for|new|val|fun|in|of|async)\b/g;

function paint(target, text, pattern, kindOf) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    const [kind, length = found[0].length] = kindOf(found);
    parts.push(text.slice(end, found.index));
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = found[0].slice(0, length);
    parts.push(span);
    end = found.index + length;
  }
  target.replaceChildren(...parts, text.slice(end));
}

export function showJson(target, value) {
  paint(target, JSON.stringify(value, null, 2), JSON_PARTS, ([, string, colon, other]) =>
    string === undefined ? ['t', other.length] : [colon ? 'n' : 's', string.length],
  );
}

export function showCode(target, text) {
  paint(target, text, CODE_PARTS, ([, string, , number, comment]) =>
    string === undefined ? [number === undefined ? (comment === undefined ? 'n' : 'd') : 't'] : ['s'],
  );
}
