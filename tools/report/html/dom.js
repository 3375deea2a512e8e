/* Building blocks. Everything from the document reaches the page as text nodes or as attributes that
 * cannot carry code: nothing here ever parses markup. */
const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') node.setAttribute('class', value);
    else if (key === 'on') for (const [name, f] of Object.entries(value)) node.addEventListener(name, f);
    else if (key === 'css') for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const el = (name, props, ...children) => fill(document.createElement(name), props, children);
const svg = (name, props, ...children) => fill(document.createElementNS(SVG, name), props, children);

const list = value => (Array.isArray(value) ? value : []);
const part = value => (value && typeof value === 'object' ? value : {});
const isNumber = value => typeof value === 'number' && isFinite(value);
/* Texts in the reader's language: what has no translation is English. Values go to {1}, {2}, ...; tn() keeps those
 * that are elements. Numbers have a decimal point everywhere, as in the evidence; then a comma would mislead. */
const LANGUAGE = document.documentElement.lang;
const TEXTS = JSON.parse(document.getElementById('texts').textContent);
const tn = (text, ...values) => (Object.hasOwn(TEXTS, text) ? TEXTS[text] : text).split(/\{(\d)\}/)
  .map((piece, i) => (i % 2 ? values[piece - 1] : piece));
const t = (text, ...values) => tn(text, ...values).join('');
const plural = (n, one, many) => t(n === 1 ? one : many, n);
const whole = n => (isNumber(n) ? Math.round(n).toLocaleString('en-US').replaceAll(',', LANGUAGE === 'en' ? ',' : '\u202f') : '–');
const percent = ratio => (isNumber(ratio) ? Math.round(ratio * 100) + ' %' : '–');

function millis(ms) {
  if (!isNumber(ms)) return '–';
  if (ms < 10) return ms.toFixed(1) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  return (ms / 1000).toFixed(ms < 1e5 ? 1 : 0) + ' s';
}

function seconds(s) {
  if (!isNumber(s)) return '–';
  if (s < 60) return s.toFixed(1) + ' s';
  const whole_s = Math.floor(s);
  return Math.floor(whole_s / 60) + ' min ' + (whole_s % 60) + ' s';
}

/* Names in the document: shown translated. */
const OUTCOMES = ['absorbed', 'degraded', 'refused', 'broke', 'hung', 'silent', 'collapsed'];
const MEANING = {
  absorbed: t('nobody noticed'), degraded: t('a lesser answer, on purpose'), refused: t('a clean, quick no'),
  broke: t('an uncontrolled error'), hung: t('no answer in time'), silent: t('failed, and nobody was told'),
  collapsed: t('others were harmed'),
};
const SEVERITIES = ['Critical', 'High', 'Medium', 'Low'];

const outcomeClass = name => (OUTCOMES.includes(name) ? 'o-' + name : 'o-unknown');
const severityClass = name => (SEVERITIES.includes(name) ? 's-' + name : 's-unknown');
const gradeClass = name => (['A', 'B', 'C', 'D', 'F'].includes(name) ? 'g-' + name : 'g-NG');

/* `title` may be [title, the short one for the contents]. */
function section(id, titles, lead, ...children) {
  const [title, short] = [titles].flat();
  return el('section', {id, 'aria-labelledby': id + '-title', 'data-short': short || title},
    el('h2', {id: id + '-title'}, title), lead && el('p', {class: 'lead'}, lead), children);
}

/* A function's qualified name with its own part standing out, free to break at the dots. */
function qualified(name) {
  const text = String(name), at = text.lastIndexOf('.') + 1;
  const parts = text.slice(0, at).split('.').filter(Boolean);
  return el('span', {class: 'fn', title: text},
    el('span', {class: 'qualifier'}, parts.map(p => [p + '.', el('wbr')])), el('b', {}, text.slice(at)));
}

const lastName = name => String(name).slice(String(name).lastIndexOf('.') + 1);

/* Text to be typed, with a button that copies it. */
function snippet(text, label) {
  const button = el('button', {type: 'button', class: 'copy', 'aria-label': t('Copy {1}', label)}, t('Copy'));
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t('Copied');
    } catch (error) {
      getSelection().selectAllChildren(button.nextSibling);
      button.textContent = t('Selected');
    }
    setTimeout(() => { button.textContent = t('Copy'); }, 1500);
  });
  return el('div', {class: 'snippet'}, button, el('pre', {tabindex: 0}, el('code', {}, text)));
}

const scroller = (label, child) =>
  el('div', {class: 'scroller', tabindex: 0, role: 'region', 'aria-label': label}, child);
