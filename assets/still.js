/* Draws the parts of a page that nothing listens to (components/still.py): elements as Dash's own draw them, and links. */
(function () {
  "use strict";
  const LEADING = ["href", "src", "action", "formAction", "data"];

  /* An address that would run something is none. */
  function safe(attributes) {
    const leading = LEADING.filter((name) => name in attributes);
    if (leading.length === 0) return attributes;
    const clean = window.dash_clientside.clean_url;
    const cleaned = leading.map((name) => [name, clean(attributes[name])]);
    return Object.assign({}, attributes, Object.fromEntries(cleaned));
  }

  /* Text and numbers stay what they are; of a list the first is the element, where it has one, and the second its attributes. */
  function drawn(part, setProps) {
    if (!Array.isArray(part)) return part;
    const inner = part.slice(2).map((one) => drawn(one, setProps));
    const { createElement, Fragment } = window.React;
    if (part[0] !== "Link") return createElement(part[0] || Fragment, safe(part[1]), ...inner);
    return createElement(window.dash_core_components.Link, Object.assign({ setProps }, part[1]), ...inner);
  }

  window.pfd_still = { Still: (props) => drawn(props.tree, props.setProps) };
})();
