/* Puts the sections in their order. A mistake is shown, never swallowed: half a report looks whole. */
function trouble(text) {
  const box = document.getElementById('trouble');
  box.hidden = false;
  box.textContent = t('This page could not be drawn completely: {1}', text);
  document.documentElement.setAttribute('data-state', 'error');
}

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === 'DETAILS') {
    target.hidden = false;
    target.open = true;
  }
  target.scrollIntoView();
}

function contents(sections) {
  return el('ul', {}, sections.map(s => el('li', {}, el('a', {href: '#' + s.id}, s.getAttribute('data-short')))));
}

/* Paper cannot be clicked: everything is open while printing. */
function printing() {
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    closed.forEach(d => { d.open = true; });
  });
  addEventListener('afterprint', () => closed.forEach(d => { d.open = false; }));
}

function main() {
  const doc = JSON.parse(document.getElementById('document').textContent);
  const run = part(doc.run), grade = part(doc.score).grade;
  document.title = 'mishap: ' + grade + ', ' + (list(run.command).join(' ') || run.id);
  document.getElementById('masthead').append(...masthead(doc));
  const top = verdict(doc);
  top.append(el('div', {class: 'pair'}, outcomesPanel(doc), gainsPanel(doc)));
  const sections = [top, comparison(doc), trend(doc), principles(doc), matrix(doc), findings(doc), timeline(doc), routes(doc), journeys(doc),
    verdictLists(doc), surroundings(doc), method(doc)].filter(Boolean);
  document.getElementById('main').append(...sections);
  document.getElementById('contents').append(contents(sections));
  document.getElementById('colophon').append('mishap ' + (part(run.versions).mishap || '') + ' · ' + t('run {1}', run.id) +
    ' · ' + t('this page holds its data and asks nothing of the network'));
  addEventListener('hashchange', openTarget);
  printing();
  openTarget();
  if (!document.documentElement.hasAttribute('data-state')) document.documentElement.setAttribute('data-state', 'ready');
}

addEventListener('error', event => trouble(event.message));
try {
  main();
} catch (error) {
  trouble(String(error && error.message || error));
}
