"""How the form looks, and how it keeps its keys: all from JupyterLab's own variables, so it follows every theme.

Labels stand beside their fields where there is room and above them where there is none, by wrapping, so no width is
asked. The one accent is JupyterLab's brand colour. Text that carries meaning, hints of empty fields and words of
disabled ones among it, has a contrast of 4.5:1 at least; a test measures it.
"""

from __future__ import annotations

from personalize_nb.text import html

_STYLE = """
.pnb-form {
  --pnb-quiet: color-mix(in srgb, var(--jp-ui-font-color1), transparent 28%);
  --pnb-gap: calc(2 * var(--jp-widgets-margin, 2px));
  max-width: 56rem;
  padding: var(--pnb-gap);
  color: var(--jp-ui-font-color1);
}
.pnb-form .pnb-field {
  display: flex;
  flex-flow: row wrap;
  align-items: baseline;
  height: auto;
  margin: var(--pnb-gap) 0;
  gap: 0 calc(3 * var(--pnb-gap));
}
.pnb-form .pnb-field > label {
  flex: 0 1 13.5rem;
  height: auto;
  max-width: 100%;
  margin: 0;
  line-height: 1.5;
  text-align: left;
  white-space: normal;
  overflow: visible;
  overflow-wrap: anywhere;
  color: var(--jp-ui-font-color1);
}
.pnb-form .pnb-field > :is(input, textarea, .widget-radio-box) {
  flex: 1 1 16rem;
  width: auto;
  min-width: 0;
  max-width: 100%;
}
.pnb-form .pnb-field > :is(input, textarea) {
  min-height: 2.15em;
  height: auto;
  padding: 0.2em 0.5em;
  font: inherit;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color0, var(--jp-border-color1));
  border-radius: var(--jp-border-radius, 2px);
}
.pnb-form .pnb-field > input { text-overflow: ellipsis; }
.pnb-form .pnb-field > :is(input, textarea)::placeholder { color: var(--pnb-quiet); opacity: 1; }
.pnb-form .pnb-field > :is(input, textarea):disabled {
  color: var(--pnb-quiet);
  background: var(--jp-layout-color2);
  border-style: dashed;
  opacity: 1;
}
.pnb-form .widget-radio-box { display: flex; flex-flow: row wrap; gap: 0 1.5rem; margin: 0; height: auto; }
.pnb-form .widget-radio-box label {
  display: flex;
  align-items: baseline;
  gap: 0.4em;
  width: auto;
  height: auto;
  margin: 0;
  line-height: 1.5;
  white-space: normal;
  color: var(--jp-ui-font-color1);
}
.pnb-form .widget-radio-box input {
  flex: none;
  order: -1;
  align-self: center;
  margin: 0;
  accent-color: var(--jp-brand-color1);
}
.pnb-form .widget-html, .pnb-form .widget-html-content { height: auto; margin: 0; line-height: 1.5; }
.pnb-form .widget-html-content { overflow-wrap: anywhere; }
.pnb-form > .widget-html:not(:has(.widget-html-content > *)) { display: none; }
.pnb-form > .widget-html:first-child { display: none; }
.pnb-form .pnb-fold { margin: var(--pnb-gap) 0; border-top: 1px solid var(--jp-border-color2); }
.pnb-form .pnb-fold:has(> .widget-html details:not([open])) > .widget-vbox { display: none; }
.pnb-form summary {
  padding: 0.35em 0;
  font-weight: 600;
  cursor: pointer;
  color: var(--jp-ui-font-color1);
}
.pnb-form summary::marker { color: var(--jp-brand-color1); }
.pnb-form .pnb-actions { flex-flow: row wrap; gap: calc(2 * var(--pnb-gap)); margin: calc(2 * var(--pnb-gap)) 0; }
.pnb-form .pnb-actions > button {
  height: auto;
  min-height: 2.15em;
  margin: 0;
  padding: 0.2em 1em;
  font-size: inherit;
  line-height: 1.5;
  white-space: normal;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2);
  border: 1px solid var(--jp-border-color0, var(--jp-border-color1));
  border-radius: var(--jp-border-radius, 2px);
  box-shadow: none;
}
.pnb-form .pnb-actions > button.mod-primary {
  color: var(--jp-layout-color0);
  background: var(--jp-brand-color1);
  border-color: var(--jp-brand-color1);
}
.pnb-form .pnb-actions > button:disabled {
  color: var(--pnb-quiet);
  background: var(--jp-layout-color2);
  border: 1px dashed var(--jp-border-color0, var(--jp-border-color1));
  opacity: 1;
}
.pnb-form :is(input, textarea, button, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 1px;
}
"""

# JupyterLab hands a key to its shortcuts unless the element that has the focus says no by this attribute, and buttons,
# radio buttons and titles of sections do not: with one of them in focus, `b` would insert a cell and `d d` delete one.
# ipywidgets cannot set attributes, so the form does when an element gets the focus;
# the widgets join the form one by one, so it is looked for a while. A field with suggestions is emptied
# meanwhile, its text turned into a hint: the browser lists only what matches the text, which would be the text alone.
# Radio buttons of ipywidgets have no name, so that arrow keys would lead from one choice into the next and change it.
# What was typed into it is selected once it counts, so that typing on takes its place.
_SHOWN = """
const back = one => {
  if ('pnbHint' in one.dataset) { one.placeholder = one.dataset.pnbHint; delete one.dataset.pnbHint; }
};
const keep = tries => {
  const form = this.closest('.pnb-form');
  if (!form) { if (tries) setTimeout(keep, 50, tries - 1); return; }
  form.addEventListener('focusin', ({target: one}) => {
    for (const box of form.querySelectorAll('.widget-radio-box'))
      for (const radio of box.querySelectorAll('input')) radio.name = box.dataset.pnbName ||= `pnb-${Math.random()}`;
    one.setAttribute('data-lm-suppress-shortcuts', 'true');
    if (!one.list || !one.value || one.closest('.pnb-grows')) return;
    one.dataset.pnbHint = one.placeholder;
    one.placeholder = one.value;
    one.value = '';
  });
  form.addEventListener('change', ({target: one}) => {
    back(one);
    if (one.list && !one.closest('.pnb-grows')) one.select();
  }, true);
  form.addEventListener('focusout', ({target: one}) => {
    if ('pnbHint' in one.dataset && !one.value) one.value = one.placeholder;
    back(one);
  });
};
keep(200);
"""

LIVE = html.live(_STYLE, _SHOWN)
