const express = require('express');

const behind = {
  orders: 'http://orders:8080/orders/',
  menu: 'http://menu:8080/menu/',
  prices: 'http://prices:8000/prices/',
  reloading: 'http://prices-reloading:8000/prices/',
  shop: 'http://shop:8000/items/',
  stock: 'http://stock:8080/stock/',
};

const app = express();
app.get('/basket/:id', async (request, response) => {
  const answers = {};
  try {
    for (const [name, url] of Object.entries(behind)) {
      const answer = await fetch(url + request.params.id);
      answers[name] = answer.status;
      if (!answer.ok) throw new Error(`${name} answers ${answer.status}`);
    }
    response.json(answers);
  } catch (error) {
    response.status(502).send(String(error.cause || error));
  }
});
app.listen(8080, '0.0.0.0');
